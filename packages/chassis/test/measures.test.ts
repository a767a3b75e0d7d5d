import { describe, expect, test } from 'vitest';
import { startMeasures } from '../src/measures.ts';
import { createMetrics } from '../src/metrics.ts';
import { databaseForTests, logger } from './island-parts.ts';

const metric = (name: string) => ({ name, help: 'A measure.', labels: [] });

describe('measures of a database', () => {
  const server = databaseForTests();
  const tell = (...measures: Parameters<typeof startMeasures>[0][]) => {
    const metrics = createMetrics('webhooks');
    for (const one of measures) startMeasures(one, { metrics, postgres: server.postgres, logger });
    return async () => (await metrics.registry.metrics()).split('\n').filter((line) => line.startsWith('measured_'));
  };

  test('are read anew each time, all those of one query at once', async () => {
    await server.migrate('create sequence readings; grant usage on sequence readings to public');
    const read = tell({
      query: `select nextval('readings') as times, extract(epoch from interval '90 seconds') as seconds, null as nothing`,
      gauges: { times: metric('measured_times'), seconds: metric('measured_seconds'), nothing: metric('measured_nothing') },
    });
    expect(await read()).toEqual(['measured_times{service="webhooks"} 1', 'measured_seconds{service="webhooks"} 90']);
    expect(await read()).toEqual(['measured_times{service="webhooks"} 2', 'measured_seconds{service="webhooks"} 90']);
  });

  test('are left out where they cannot be read, or not in time, and keep no other from being told', async () => {
    await server.migrate('create table answers (value int, delay float8); grant select, insert, update on answers to public');
    const read = tell(
      { query: 'select value, pg_sleep(delay) from answers', gauges: { value: metric('measured_late') } },
      { query: 'select 1 from no_such_table', gauges: { value: metric('measured_never') } },
      { query: 'select 1 as value', gauges: { value: metric('measured_always') } },
    );
    await server.migrate('insert into answers values (7, 0)');
    expect(await read()).toEqual(['measured_late{service="webhooks"} 7', 'measured_always{service="webhooks"} 1']);
    await server.migrate('update answers set delay = 60');
    expect(await read()).toEqual(['measured_always{service="webhooks"} 1']);
  });
});
