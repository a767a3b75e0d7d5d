/**
 * Which orders does a settlement cover? Candidates cost 5.00 to 500.00, and 2 to 20 of them were settled: in half of the questions
 * a run of them, in half any. What is not found must be called ambiguous or beyond its budget, and never be another subset.
 */
import { type SubsetQuestion, searchSubset } from '../../services/executions/src/domain/matching/subset/search.ts';
import { createRandom, type Random } from '../inputs/random.ts';
import { report, timed } from '../measure/sample.ts';

const questionsPerSize = 200;
/** As many steps as a pass gives each record. */
const stepsMax = 2_000_000;

interface Puzzle {
  readonly question: SubsetQuestion;
  readonly isRun: boolean;
  readonly truth: readonly number[];
}

const invent = (candidates: number, isRun: boolean, random: Random): Puzzle => {
  const amounts = Float64Array.from({ length: candidates }, () => Math.round(500 * 100 ** random.next()));
  const days = Int32Array.from({ length: candidates }, (_, index) => 20_000 + Math.floor((index * 5) / candidates));
  const size = random.between(2, Math.min(20, candidates));
  const first = random.between(0, candidates - size);
  const anywhere = random.shuffle(Uint32Array.from({ length: candidates }, (_, index) => index)).subarray(0, size);
  const truth = isRun ? Array.from({ length: size }, (_, index) => first + index) : [...anywhere].sort((one, other) => one - other);
  const total = truth.reduce((sum, index) => sum + (amounts[index] as number), 0);
  return { question: { amounts, days, least: total, most: total, sizeMin: 1, sizeMax: 20, stepsMax }, isRun, truth };
};

const quantile = (values: readonly number[], share: number): number =>
  values.toSorted((one, other) => one - other)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;

const values: Record<string, number> = {};
for (const candidates of [20, 50, 200]) {
  const random = createRandom(candidates);
  const puzzles = Array.from({ length: questionsPerSize }, (_, index) => invent(candidates, index % 2 === 0, random));
  // The first answers are given by code that is still being compiled, which a run of the service does not repeat per question.
  for (const { question } of puzzles.slice(0, 20)) searchSubset(question);
  const times: number[] = [];
  const count = (name: string): void => {
    values[`n=${candidates} ${name}`] = (values[`n=${candidates} ${name}`] ?? 0) + 1;
  };
  for (const { question, isRun, truth } of puzzles) {
    const { value: answer, wallMs } = await timed(() => searchSubset(question));
    times.push(wallMs);
    const isRight =
      answer.kind === 'found' && answer.members.length === truth.length && truth.every((member, index) => answer.members[index] === member);
    count(`${isRun ? 'runs' : 'anywhere'} ${answer.kind === 'found' ? (isRight ? 'right' : 'wrong') : answer.kind}`);
  }
  values[`n=${candidates} median ms`] = quantile(times, 0.5);
  values[`n=${candidates} p95 ms`] = quantile(times, 0.95);
  values[`n=${candidates} most ms`] = Math.max(...times);
}
report({ values });
