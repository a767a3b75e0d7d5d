/** What the definitions of both measures that Settler follows come to, asked of DuckDB; its speed is printed beside. `duckdb-similarity.ts CALLS` */
import { DuckDBInstance } from '@duckdb/node-api';
import { blocks, pairCount } from '../measure/compared.ts';
import { report, type Sample, sampled } from '../measure/sample.ts';

const { names, ones, others } = blocks();
const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
await connection.run('CREATE TABLE pairs (one VARCHAR, other VARCHAR)');
const appender = await connection.createAppender('pairs');
for (let pair = 0; pair < pairCount; pair += 1) {
  appender.appendVarchar(names[ones[pair] as number] as string);
  appender.appendVarchar(names[others[pair] as number] as string);
  appender.endRow();
}
appender.closeSync();

const measures = {
  jaroWinkler: 'jaro_winkler_similarity(one, other)',
  levenshtein: '1 - levenshtein(one, other) / greatest(length(one), length(other))',
};
const samples: Record<string, Sample> = {};
for (const [name, measure] of Object.entries(measures)) {
  samples[name] = await sampled(Number(process.argv[2]), async () => {
    const [row = []] = (await connection.runAndReadAll(`SELECT sum(round((${measure}) * 1000000)::BIGINT) FROM pairs`)).getRows();
    return { rows: pairCount, checksum: Number(row[0]) };
  });
}
report({ samples });
