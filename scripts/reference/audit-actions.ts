import { auditExample } from '@settler/contracts/audit';
import { auditActions } from '@settler/contracts/audit-actions';
import { statefulServices } from '@settler/contracts/services';
import { code, json, type Page, table } from './markdown.ts';

export const auditActionsPage = (): Page => ({
  file: 'audit-actions.md',
  title: 'Audit actions',
  about: 'Every action that the audit trail may hold.',
  source: 'packages/contracts/src/audit-actions.ts',
  body: [
    '`GET /v1/audit-events?action=` takes these. The part before the dot is also the `resource.type` of the entry. What a service tells the trail, before identity gives it an `id`, its time and its `hash`:',
    json(auditExample),
    ...statefulServices.flatMap((service) => [
      `## ${service}`,
      table(
        ['action', 'when'],
        Object.entries(auditActions)
          .filter(([, action]) => action.service === service)
          .map(([name, { description }]) => [code(name), description]),
      ),
    ]),
  ],
});
