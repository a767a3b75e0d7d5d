/** The only file that knows everything: adapters, use cases, routes and workers, wired by hand. */
import { acknowledgeErasure } from '@settler/chassis/erasure';
import { newId } from '@settler/chassis/ids';
import type { Life } from '@settler/chassis/lifecycle';
import { createService } from '@settler/chassis/service';
import { consumers } from '@settler/contracts/streams';
import { startRequestedRun } from './application/commands/start-requested-run.ts';
import { explainException } from './application/explain.ts';
import { measuredEnds, type OnEnd } from './application/measured-ends.ts';
import { startRequestedRuns } from './application/requested-runs.ts';
import { runExecution } from './application/run-execution.ts';
import { startWorker } from './application/worker.ts';
import type { Config } from './config.ts';
import { createExplainer } from './infrastructure/explaining/explainer.ts';
import { createMemberClient } from './infrastructure/identity/member-client.ts';
import { createInternalCall } from './infrastructure/internal-call.ts';
import { createDefinitionClient } from './infrastructure/jobs/definition-client.ts';
import { createMatchingThreads } from './infrastructure/matching/thread.ts';
import { createApprovalQueries, createApprovalStore } from './infrastructure/postgres/exceptions/approval-store.ts';
import { createOpenExceptions } from './infrastructure/postgres/exceptions/earlier-exceptions.ts';
import { createBulkStore } from './infrastructure/postgres/exceptions/exception-bulk.ts';
import { createExceptionStore } from './infrastructure/postgres/exceptions/exception-store.ts';
import { createExplainQuery } from './infrastructure/postgres/exceptions/explain-query.ts';
import { createHandMatches } from './infrastructure/postgres/matches/hand-matches.ts';
import { createMatchStore } from './infrastructure/postgres/matches/match-store.ts';
import { createSeparations } from './infrastructure/postgres/matches/separations.ts';
import { createOpenItemStore } from './infrastructure/postgres/open-items/open-items.ts';
import { recordBaseCurrency } from './infrastructure/postgres/reports/base-currencies.ts';
import { createExchangeRateStore } from './infrastructure/postgres/reports/exchange-rates.ts';
import { createBaseResults } from './infrastructure/postgres/results/base-results.ts';
import { createMatchedBefore } from './infrastructure/postgres/results/match-keys.ts';
import { startResultRetention } from './infrastructure/postgres/results/result-retention.ts';
import { createResultWriter } from './infrastructure/postgres/results/result-writer.ts';
import { createExecutionQueries } from './infrastructure/postgres/runs/execution-queries.ts';
import { createExecutionStore } from './infrastructure/postgres/runs/execution-store.ts';
import { createFileQueries, createFileStore } from './infrastructure/postgres/runs/file-store.ts';
import { createLeaseStore } from './infrastructure/postgres/runs/lease-store.ts';
import { runs } from './infrastructure/postgres/runs/measures.ts';
import { createRunRequests, receiveRunRequest } from './infrastructure/postgres/runs/run-requests.ts';
import type { Database } from './infrastructure/postgres/tables.ts';
import { executionDuration } from './metrics.ts';
import { approvalRoutes } from './routes/approvals.ts';
import { explanationRoutes } from './routes/exception-explanation.ts';
import { exceptionRoutes } from './routes/exceptions.ts';
import { exceptionBulkRoutes } from './routes/exceptions-in-bulk.ts';
import { exchangeRateRoutes } from './routes/exchange-rates.ts';
import { executionEventRoutes } from './routes/execution-events.ts';
import { executionRoutes } from './routes/executions.ts';
import { exportRoutes } from './routes/exports.ts';
import { fileRoutes } from './routes/files.ts';
import { matchRoutes } from './routes/matches.ts';
import { reportRoutes } from './routes/reports.ts';

export const start = async (config: Config, life: Life): Promise<string> => {
  const service = await createService<Database>('executions', config, life);
  const { app, endpoints, postgres, cursors, outbox, idempotency } = service;
  const { endpoint } = endpoints;
  const files = createFileStore(postgres, outbox);
  const exceptions = { ...createExceptionStore(postgres, outbox), ...createBulkStore(postgres, outbox) };
  const explainer = createExplainer();
  life.onStop('explainer', explainer.close);
  const explain = explainException({ material: createExplainQuery(postgres), ask: explainer.ask });
  const queries = createExecutionQueries(postgres, cursors);
  const jobs = createInternalCall('jobs', config.JOBS_URL, service.sign);
  const identity = createInternalCall('identity', config.IDENTITY_URL, service.sign);
  life.onStop('calls', () => Promise.all([jobs.close(), identity.close()]).then(() => {}));
  const definitions = createDefinitionClient(jobs);

  await fileRoutes(endpoint, { app, files, queries: createFileQueries(postgres, cursors), idempotency, newId: () => newId('file') });
  const newApprovalId = () => newId('approval');
  const store = createExecutionStore(postgres, outbox);
  executionRoutes(endpoint, { queries, store, definitions, newId: () => newId('execution') });
  executionEventRoutes(endpoint, queries, life.isStopping);
  matchRoutes(endpoint, {
    matches: createMatchStore(postgres, outbox),
    newIds: () => ({ result: newId('result'), approval: newApprovalId() }),
  });
  reportRoutes(endpoint, queries);
  exchangeRateRoutes(endpoint, createExchangeRateStore(postgres, outbox, cursors), () => newId('exchangeRate'));
  exportRoutes(endpoint, { queries, isStopping: life.isStopping });
  const members = createMemberClient(identity);
  exceptionRoutes(endpoint, {
    queries,
    store: exceptions,
    members,
    newIds: { comment: () => newId('comment'), approval: newApprovalId },
  });
  exceptionBulkRoutes(endpoint, { store: exceptions, members });
  explanationRoutes(endpoint, explain);
  approvalRoutes(endpoint, {
    queries: createApprovalQueries(postgres, cursors),
    store: createApprovalStore(postgres, outbox),
    newResultId: () => newId('result'),
  });

  const requests = createRunRequests(postgres, outbox, store);
  const startRequested = startRequestedRun({ requests, definitions, newId: () => newId('execution'), logger: life.logger });
  const requestedRuns = startRequestedRuns({ requests, start: startRequested, everyMs: config.SWEEP_MS, logger: life.logger });
  life.onStop('requested runs', requestedRuns.stop);
  service.consume(consumers.runRequests, receiveRunRequest(requestedRuns.wake));
  service.consume(consumers.baseCurrencies, recordBaseCurrency);
  service.consume(consumers.erasuresInExecutions, acknowledgeErasure('executions', outbox));

  service.measure(runs);

  let onListening = (): void => {};
  if (config.ROLE !== 'api') {
    const durations = service.metrics.histogram(executionDuration);
    const onEnd: OnEnd = (status, seconds) => durations.observe({ status }, seconds);
    const lease = { leaseMs: config.LEASE_MS, ringAgainMs: config.SWEEP_MS, onOrphan: onEnd };
    const leases = measuredEnds(createLeaseStore(postgres, outbox, lease), onEnd, () => performance.now());
    const threads = createMatchingThreads(config.WORKER_MEMORY_MB);
    const needs = {
      leases,
      writer: createResultWriter(postgres),
      openMatching: threads.open,
      openFile: files.open,
      openItems: createOpenItemStore(postgres),
      matchedBefore: createMatchedBefore(postgres),
      handMatches: createHandMatches(postgres),
      separations: createSeparations(postgres),
      openExceptions: createOpenExceptions(postgres),
      bases: createBaseResults(postgres),
      renewMs: config.LEASE_RENEW_MS,
      logger: life.logger,
    };
    const worker = startWorker({
      broker: service.broker,
      leases,
      run: (held, stopping) => runExecution(needs, held, stopping),
      sweepFiles: files.sweepUnfinished,
      slots: config.WORKER_SLOTS,
      sweepMs: config.SWEEP_MS,
      logger: life.logger,
    });
    if (config.RESULTS_RETENTION_MONTHS > 0)
      life.onStop('retention of results', startResultRetention(postgres, config.RESULTS_RETENTION_MONTHS, life.logger).stop);
    life.onStop('threads', threads.close);
    life.onStop('worker', worker.stop);
    onListening = threads.prepare;
  }
  const address = await service.listen();
  onListening();
  return address;
};
