/** The guide to matching rules says what each construct does with a tiny input. This runs what it says. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Fields } from '../../../src/domain/matching/batch.ts';
import type { MatchResult } from '../../../src/domain/matching/results/result.ts';
import { run } from './records.ts';

const guide = readFileSync(new URL('../../../../../docs/guides/matching-rules.md', import.meta.url), 'utf8');
const blocks = [...guide.matchAll(/^```(json|csv open|csv source|csv target|text)\n([\s\S]*?)^```$/gm)].map(([, kind = '', text = '']) => ({
  kind,
  text,
}));
const examples = blocks.flatMap(({ kind, text: rules }, index) => {
  const isOpen = blocks[index + 1]?.kind === 'csv open';
  const open = isOpen ? (blocks[index + 1]?.text ?? '') : '';
  const [source, target, outcome] = blocks.slice(index + (isOpen ? 2 : 1));
  if (kind !== 'json' || source?.kind !== 'csv source' || target?.kind !== 'csv target' || outcome?.kind !== 'text') return [];
  const before = guide.slice(0, guide.indexOf(rules));
  const [heading = ''] = [...before.matchAll(/^##+ (.*)$/gm)].map(([, title = '']) => title).slice(-1);
  return [{ heading, rules, open, source: source.text, target: target.text, outcome: outcome.text.trim().split('\n') }];
});

const recordsOf = (csv: string): Fields[] => {
  const [head = '', ...lines] = csv.trim().split('\n');
  const names = head.split(',');
  return lines.map((line) => {
    const cells = line.split(',');
    const said = Object.fromEntries(names.map((name, index) => [name, cells[index] ?? '']));
    return { currency: 'EUR', date: '2026-04-01', ...said };
  });
};

const described = ({ said, results }: ReturnType<typeof run>): string[] =>
  said.map(([outcome, source, target], index) => {
    const names = [source, target].map((ids) => (ids as string[]).join(' + ')).filter((text) => text !== '');
    const { category, delta, dueOn } = results[index] as MatchResult;
    const remarks = [
      ...(category === null ? [] : [`(${category} ${delta?.amount})`]),
      ...(dueOn === undefined ? [] : [`(may come until ${dueOn})`]),
    ];
    return [outcome, names.join(' = '), ...remarks].join(' ');
  });

test('every example of the guide is one that is run here', () => {
  expect(examples.length * 4).toBe(blocks.filter(({ kind }) => kind !== 'csv open').length);
  expect(examples.length).toBeGreaterThan(12);
});

test.each(examples)('$heading', ({ rules, open, source, target, outcome }) => {
  const reconciled = run(recordsOf(source), recordsOf(target), JSON.parse(rules), true, recordsOf(open));
  expect(described(reconciled)).toEqual(outcome);
});
