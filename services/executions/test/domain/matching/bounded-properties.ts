/**
 * Where the tests are asked about thousands of changes (`npm run mutation`), one that none of them sees takes every property to its end:
 * each has this long for its inputs there, the same ones every time.
 */
import fc from 'fast-check';

fc.configureGlobal({ seed: 1, interruptAfterTimeLimit: 150 });
