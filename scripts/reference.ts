/** Writes docs/reference from the contracts and the schemas of settings. The check fails while the two differ. */
import { writeReference } from './reference/pages.ts';

for (const file of writeReference()) console.log(file);
