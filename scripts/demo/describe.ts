/** What a run came to, for a person: outcomes, money, three things to look at, and how to go on. */

export interface Execution {
  readonly id: string;
  readonly status: string;
  readonly error: { readonly message: string } | null;
  readonly summary: {
    readonly matchRate: number;
    readonly byCurrency: Readonly<
      Record<
        string,
        { readonly source: { records: number; amount: string | null }; readonly target: { records: number; amount: string | null } }
      >
    >;
  };
}

export interface Report {
  readonly outcomes: readonly { outcome: string; side: string; currency: string; count: number; amount: string }[];
  readonly certificate: { readonly holds: boolean };
}

export interface Delivered {
  readonly id: string;
  readonly type: string;
  readonly isNew: boolean;
  readonly sequence: string;
}

interface Exception {
  readonly category: string;
  readonly severity: string;
  readonly amount: string | null;
  readonly currency: string | null;
  readonly reason: string | null;
  readonly records: readonly Readonly<Record<string, unknown>>[];
}

interface Run {
  readonly url: string;
  readonly apiKey: string;
  readonly jobId: string;
  readonly execution: Execution;
  readonly report: Report;
  readonly exceptions: readonly Exception[];
  readonly delivered: Delivered | undefined;
}

export const describeRun = ({ url, apiKey, jobId, execution, report, exceptions, delivered }: Run): string[] => [
  '',
  'A month of a shop, its orders against the card payments',
  '',
  ...table(
    ['outcome', 'side', 'currency', 'records', 'amount'],
    report.outcomes.map((row) => [row.outcome, row.side, row.currency, String(row.count), row.amount]),
  ),
  '',
  ...table(
    ['currency', 'orders', 'ordered', 'bookings', 'booked'],
    Object.entries(execution.summary.byCurrency).map(([currency, { source, target }]) => [
      currency,
      String(source.records),
      source.amount ?? '',
      String(target.records),
      target.amount ?? '',
    ]),
  ),
  '',
  `  ${(execution.summary.matchRate * 100).toFixed(1)} % of the orders matched; every record and every cent is accounted for: ${report.certificate.holds ? 'yes' : 'NO'}`,
  '',
  'Three of the open exceptions',
  ...pick(exceptions).map((exception) => `  ${sentence(exception)}`),
  '',
  delivered === undefined
    ? 'No webhook came within the time.'
    : `A webhook receiver got ${delivered.type} (${delivered.id}, number ${delivered.sequence}); its signature holds.`,
  '',
  `API reference  ${url}/docs`,
  `API key        ${apiKey}`,
  '',
  'Try it',
  `  curl -s -H 'X-API-Key: ${apiKey}' ${url}/v1/executions/${execution.id}/report`,
  `  curl -s -H 'X-API-Key: ${apiKey}' '${url}/v1/executions/${execution.id}/results?outcome=mismatched&limit=3'`,
  `  curl -s -H 'X-API-Key: ${apiKey}' '${url}/v1/exceptions?jobId=${jobId}&limit=3'`,
  '',
];

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string[] => {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const isNumber = (column: number) => rows.every((row) => /^-?[\d.]*$/.test(row[column] ?? ''));
  const shown = (row: readonly string[]) =>
    `  ${row.map((cell, column) => (isNumber(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0))).join('  ')}`.trimEnd();
  return [shown(head), `  ${widths.map((width) => '-'.repeat(width)).join('  ')}`, ...rows.map(shown)];
};

/** One of each kind first: three of the same would show little. */
const pick = (exceptions: readonly Exception[]): readonly Exception[] => {
  const kinds = [...Map.groupBy(exceptions, ({ category }) => category).values()];
  return kinds.flatMap(([first]) => (first === undefined ? [] : [first])).slice(0, 3);
};

const sentence = ({ category, severity, amount, currency, reason, records: [first, second] }: Exception): string => {
  const name = (record: Readonly<Record<string, unknown>> | undefined) => String(record?.['reference'] ?? record?.['id'] ?? '?');
  const money = amount === null ? '' : ` ${amount} ${currency ?? ''}`;
  const what = {
    missing_in_target: `${name(first)},${money}: ordered, and no payment for it`,
    missing_in_source: `${name(first)},${money}: booked by the provider, and no order for it`,
    amount_mismatch: `${name(first)},${money}: the provider booked ${String(second?.['amount'] ?? '?')}`,
    date_mismatch: `${name(first)},${money}: booked on ${String(second?.['date'] ?? '?')}, outside the window`,
    duplicate: `${name(first)},${money}: booked more than once`,
  }[category];
  return `${severity.padEnd(8)} ${what ?? `${name(first)},${money}: ${reason ?? category}`}`;
};
