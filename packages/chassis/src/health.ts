/** Health: `live` never looks at dependencies, `ready` says whether requests can be served, `/health` says everything. */
import type { FastifyInstance } from 'fastify';

export interface HealthCheck {
  readonly name: string;
  /** Whether a process without it can serve nobody. The broker is not required: writes go on, and the outbox grows. */
  readonly isRequired: boolean;
  readonly isUp: () => Promise<boolean>;
}

const checkTimeoutMs = 2_000;

const within = async (check: HealthCheck): Promise<boolean> => {
  const late = new Promise<false>((resolve) => {
    setTimeout(resolve, checkTimeoutMs, false).unref();
  });
  return Promise.race([check.isUp(), late]).catch(() => false);
};

/**
 * Health is asked for by everybody and costs every dependency a question: answers are shared for as long as this, unless they say that
 * something is down. That it is up again is told at once.
 */
const keptMs = 500;

type States = readonly (HealthCheck & { readonly up: boolean })[];

const shared = (look: () => Promise<States>): (() => Promise<States>) => {
  let kept: { readonly states: Promise<States>; readonly askedAtMs: number } | undefined;
  return () => {
    if (kept !== undefined && performance.now() - kept.askedAtMs <= keptMs) return kept.states;
    const asked = { states: look(), askedAtMs: performance.now() };
    kept = asked;
    void asked.states.then((states) => {
      if (kept === asked && states.some(({ up }) => !up)) kept = undefined;
    });
    return asked.states;
  };
};

export const serveHealth = (app: FastifyInstance, checks: readonly HealthCheck[], isStopping: () => boolean): void => {
  const look = (wanted: readonly HealthCheck[]) => () => Promise.all(wanted.map(async (check) => ({ ...check, up: await within(check) })));
  const lookAtRequired = shared(look(checks.filter(({ isRequired }) => isRequired)));
  const lookAtAll = shared(look(checks));
  const hidden = { schema: { hide: true } };

  app.get('/health/live', hidden, async () => ({ status: 'ok' }));
  // What is not required is not even asked: one that hangs would make the answer too late for whoever waits for it.
  app.get('/health/ready', hidden, async (_request, reply) => {
    const isReady = !isStopping() && (await lookAtRequired()).every(({ up }) => up);
    return reply.code(isReady ? 200 : 503).send({ status: isReady ? 'ok' : 'unavailable' });
  });
  app.get('/health', hidden, async (_request, reply) => {
    const states = await lookAtAll();
    const isReady = !isStopping() && states.every(({ up, isRequired }) => up || !isRequired);
    const isWhole = states.every(({ up }) => up);
    return reply.code(isReady ? 200 : 503).send({
      status: isReady ? (isWhole ? 'ok' : 'degraded') : 'unavailable',
      dependencies: Object.fromEntries(states.map(({ name, up }) => [name, up ? 'up' : 'down'])),
    });
  });
};
