/**
 * A mutant that survives runs every property to its end, and there are thousands: each has this long for its inputs here, the same
 * ones every time.
 */
import fc from 'fast-check';

fc.configureGlobal({ seed: 1, interruptAfterTimeLimit: 150 });
