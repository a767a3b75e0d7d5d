/** Generated CSV inputs and mappings for them: well written, badly written, and cut anywhere. */
import fc from 'fast-check';

type Arbitrary = fc.Arbitrary<string>;

const spaced = (cell: Arbitrary): Arbitrary =>
  fc.oneof({ weight: 8, arbitrary: cell }, { weight: 1, arbitrary: cell.map((text) => ` ${text}\u00a0`) });

const junk = fc.oneof(
  fc.constantFrom('', '', ' ', '\u00a0', '\u3000 ', '0', '-', '.', ',', 'NaN', 'x', '"', 'é', ' é', '€uro', '𝄞', '\ufeff', '1e9'),
  fc.string({ unit: fc.constantFrom('a', '0', '1', '-', '.', ',', '"', ';', '\n', '\r', ' ', 'é', '\t'), maxLength: 12 }),
);

const grouped = (separator: string) => (text: string) => text.replace(/\B(?=([0-9]{3})+(?![0-9]))/g, separator);

const number = fc.oneof(
  fc.tuple(fc.maxSafeInteger(), fc.integer({ min: 0, max: 8 })).map(([digits, scale]) => decimal(digits, scale)),
  fc.tuple(fc.integer({ min: -100_000, max: 100_000 }), fc.constantFrom(0, 1, 2, 2, 2, 3)).map(([digits, scale]) => decimal(digits, scale)),
  fc.integer({ min: 0, max: 99 }).map((cents) => `.${cents}`),
  fc.constantFrom(
    '0',
    '-0',
    '-0.00',
    '007.50',
    '12.',
    '9007199254740991',
    '9007199254740992',
    '-9007199254740993',
    '90071992547409.910000',
  ),
  fc.constantFrom('999999999999999999.999999', '1000000000000000000', '123456789012345', '1234567890123456', '12.3450000', '0.0000001'),
);

const decimal = (digits: number, scale: number): string => {
  const text = String(Math.abs(digits)).padStart(scale + 1, '0');
  return `${digits < 0 ? '-' : ''}${text.slice(0, text.length - scale)}${scale === 0 ? '' : `.${text.slice(-scale)}`}`;
};

const amount = fc.oneof(
  { weight: 5, arbitrary: number },
  { weight: 2, arbitrary: number.map((text) => text.replace('.', ',')) },
  { weight: 1, arbitrary: number.map(grouped(',')) },
  { weight: 1, arbitrary: number.map((text) => grouped('.')(text.replace('.', ','))) },
  { weight: 1, arbitrary: number.map((text) => `(${text})`) },
  { weight: 1, arbitrary: number.map((text) => `+${text}`) },
  { weight: 1, arbitrary: number.map((text) => `${text}-`) },
);

const two = (max: number): Arbitrary => fc.integer({ min: 0, max }).map((value) => String(value).padStart(2, '0'));
const isoDay = fc
  .tuple(fc.oneof(fc.integer({ min: 2020, max: 2030 }), fc.integer({ min: 1890, max: 3010 })), two(13), two(32))
  .map(([year, month, day]) => `${year}-${month}-${day}`);
const time = fc
  .tuple(fc.constantFrom('T', ' ', 't'), two(25), two(61), two(61), fc.constantFrom('', '', '.5', '.123456', ',5', '.', '.1234567890'))
  .chain(([separator, hour, minute, second, fraction]) =>
    fc
      .constantFrom('', 'Z', 'z', ' UTC', '+02:00', '-0500', ' +02', '+02:75', 'Zx')
      .map((zone) => `${separator}${hour}:${minute}:${second}${fraction}${zone}`),
  );
const date = fc.oneof(
  isoDay,
  fc.tuple(isoDay, time).map(([day, rest]) => day + rest),
  fc.tuple(two(32), two(13)).map(([day, month]) => `${day}/${month}/2026`),
);

const currency = fc.oneof(
  fc.constantFrom('EUR', 'EUR', 'USD', 'JPY', 'BHD', 'CLF', 'eur', 'Jpy', 'XTS', 'AAA', 'zzz'),
  fc.constantFrom('EU', 'EURO', 'E R', '€', 'E\u00c5R', '@@@', '[[[', 'ſek'),
);
const id = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'Z', '7', '-', 'é'), minLength: 1, maxLength: 10 }),
  fc.constantFrom('é'.repeat(512), 'é'.repeat(513), 'x'.repeat(600)),
);
const text = fc.string({ unit: 'grapheme', maxLength: 20 }).map((value) => value.replaceAll('\0', ''));

// What every mapping below can read, but for formats and separators of its own.
const wellWritten = {
  amount: fc.oneof(
    fc.integer({ min: -99_999, max: 99_999 }).map(String),
    fc.integer({ min: 1, max: 99_999 }).map((cents) => decimal(cents, 2)),
  ),
  date: fc
    .tuple(fc.constantFrom('2026', '2024'), two(11), two(27))
    .map(([year, month, day]) => `${year}-${plusOne(month)}-${plusOne(day)}`),
  currency: fc.constantFrom('EUR', 'USD', 'BHD', 'chf'),
  id: fc.integer({ min: 1 }).map((number) => `ord_${number}`),
};
const plusOne = (text: string): string => String(Number(text) + 1).padStart(2, '0');

type Kind = { readonly well: Arbitrary; readonly any: Arbitrary };
const amounts: Kind = { well: wellWritten.amount, any: amount };
const debits: Kind = { well: fc.constant(''), any: amount };
const dates: Kind = { well: wellWritten.date, any: date };

/** A column of each kind, called so that no column is found by accident. */
const kinds: Readonly<Record<string, Kind>> = {
  ID: { well: wellWritten.id, any: id },
  Gross: amounts,
  Out: debits,
  In: amounts,
  Fee: amounts,
  Cur: { well: wellWritten.currency, any: currency },
  Day: dates,
  Due: dates,
  Memo: { well: text, any: text },
  Note: { well: text, any: junk },
};
const names = Object.keys(kinds);

const rowOf = (cell: (kind: Kind) => Arbitrary) => fc.tuple(...Object.values(kinds).map(cell));
const row = fc.oneof(
  { weight: 2, arbitrary: rowOf(({ well }) => well) },
  // One of many cells is enough to make a row invalid: most are what the column is for.
  {
    weight: 2,
    arbitrary: rowOf(({ well, any }) =>
      fc.oneof({ weight: 8, arbitrary: well }, { weight: 3, arbitrary: spaced(any) }, { weight: 1, arbitrary: junk }),
    ),
  },
  { weight: 1, arbitrary: rowOf(({ any }) => fc.oneof(spaced(any), junk)) },
);

const separators = fc.constantFrom('.' as const, ',' as const, undefined);
const defined = <Value extends object>(value: Value): Partial<Value> =>
  Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Partial<Value>;

const numberOf = (column: string) =>
  fc.record({ column: fc.constant(column), decimal: separators, negate: fc.constantFrom(true, false, undefined) }).map(defined);
const debitCredit = separators.map((separator) => defined({ debit: 'Out', credit: 'In', decimal: separator }));
const dateOf = (column: string) =>
  fc.constantFrom(
    { column },
    { column },
    { column, format: 'dd/MM/yyyy' },
    { column, timezone: 'America/New_York' },
    { column, format: 'yyyy-MM-dd' },
  );

const mapping = fc.record(
  {
    id: fc.constant('ID'),
    amount: fc.oneof(
      fc.constant('Gross'),
      numberOf('Gross'),
      debitCredit,
      fc.constantFrom({ value: '12.345' }, { value: '7' }, { value: '99999999999999999' }),
    ),
    currency: fc.oneof(fc.constant('Cur'), fc.constantFrom({ value: 'eur' }, { value: 'JPY' })),
    date: fc.oneof(fc.constant('Day'), dateOf('Day'), fc.constant({ value: '2026-04-01' })),
    fee: fc.oneof(fc.constant('Fee'), numberOf('Fee'), debitCredit),
    due: fc.oneof(fc.constant('Due'), dateOf('Due')),
    description: fc.constantFrom('Memo', 'Note', { value: 'from the bank' }, { value: ' ' }),
    reference: fc.constantFrom('Note', 'Gross', 'ID'),
    total: fc.oneof(numberOf('Gross'), debitCredit, fc.constant('Gross')),
  },
  { requiredKeys: [] },
);

/** Names of ours in the header make columns canonical that nobody mapped. */
const renamed = fc.constantFrom(
  new Map(),
  new Map([['Gross', 'amount']]),
  new Map([
    ['Cur', 'currency'],
    ['Day', 'date'],
  ]),
  new Map([
    ['Fee', 'fee'],
    ['ID', 'id'],
  ]),
);

const written = (cell: string, delimiter: string, wantsQuotes: boolean): string =>
  wantsQuotes || cell.includes(delimiter) || /^"|[\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;

/** What breaks a row: a cell too many or too few, text after a closing quote, a line that is blank or all prose. */
const breaking = fc.constantFrom<(line: string, delimiter: string) => string>(
  (line, delimiter) => line + delimiter,
  (line, delimiter) => line.slice(line.indexOf(delimiter) + 1),
  (line, delimiter) => `"${line.slice(0, 2).replaceAll('"', '')}"x${delimiter}${line}`,
  (line) => `${line}\n\r\n${line}`,
  () => 'Total',
  () => '',
);

export type GeneratedCsv = { readonly text: string; readonly config: object };

export const generatedCsv: fc.Arbitrary<GeneratedCsv> = fc
  .record({
    rows: fc.array(fc.tuple(row, fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: breaking })), {
      maxLength: 14,
    }),
    fields: mapping,
    own: renamed,
    delimiter: fc.constantFrom(',', ';', '\t', '|', ' ', '/', '!'),
    isTold: fc.boolean(),
    quoting: fc.constantFrom('never', 'always', 'odd'),
    lineEnd: fc.constantFrom('\n', '\r\n', '\r'),
    hasLastEnd: fc.boolean(),
    skipRows: fc.constantFrom(0, 0, 0, 2),
    trailerRows: fc.constantFrom(0, 0, 0, 1, 3),
  })
  .map(({ rows, fields, own, delimiter, isTold, quoting, lineEnd, hasLastEnd, skipRows, trailerRows }) => {
    const ours = (name: string): string => own.get(name) ?? name;
    const lines = [names.map(ours), ...rows.map(([cells]) => cells)].map((cells) =>
      cells.map((cell, index) => written(cell, delimiter, quoting === 'always' || (quoting === 'odd' && index % 2 === 1))).join(delimiter),
    );
    const broken = lines.map((line, index) => rows[index - 1]?.[1]?.(line, delimiter) ?? line);
    const renamedFields = JSON.parse(JSON.stringify(fields), (_, value) => (typeof value === 'string' ? ours(value) : value));
    return {
      text: 'The bank says "so\r\n'.repeat(skipRows) + broken.join(lineEnd) + (hasLastEnd ? lineEnd : ''),
      config: {
        fields: renamedFields,
        ...defined({ skipRows, trailerRows }),
        ...((isTold || !',;\t|'.includes(delimiter)) && { delimiter }),
      },
    };
  });
