/** From the bytes of both files to the batches that the engine takes, repeated ids found. `columns.ts SIZE` */
import { openReader } from '../../packages/adapters/src/readers.ts';
import { filesOf } from '../inputs/files.ts';
import { report, timed } from '../measure/sample.ts';
import { csvConfig, readBatch } from './read-batch.ts';

const { orders, payments } = filesOf(Number(process.argv[2]));
// The reader's modules are loaded by the first that opens one; of what follows only reading is measured.
await openReader('csv', csvConfig);
const { value, cpuMs, wallMs } = await timed(async () => (await readBatch(orders)).length + (await readBatch(payments)).length);
report({ samples: { load: { cold: { cpuMs, wallMs }, warm: [], rows: value, checksum: 0 } } });
