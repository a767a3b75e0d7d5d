/** Every route that has cases. Whether that is every route there is, the services say themselves. */
import type { Cases } from './case.ts';
import { executionsCases } from './executions-cases.ts';
import { identityCases } from './identity-cases.ts';
import { jobsCases } from './jobs-cases.ts';
import { webhooksCases } from './webhooks-cases.ts';

export const cases: Cases = { ...identityCases, ...jobsCases, ...executionsCases, ...webhooksCases };
