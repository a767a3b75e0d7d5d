import { executionErrors } from '@settler/contracts/execution-errors';
import { problemCodes, problems, problemType } from '@settler/contracts/problems';
import { code, json, type Page, table } from './markdown.ts';

const example = {
  type: problemType('validation_failed'),
  title: problems.validation_failed.title,
  status: problems.validation_failed.status,
  detail: 'passes[0].match[1].tolerance: must have absolute, percent, bps, below or above',
  code: 'validation_failed',
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  errors: [{ path: 'passes[0].match[1].tolerance', message: 'must have absolute, percent, bps, below or above' }],
};

export const errorsPage = (): Page => ({
  file: 'errors.md',
  title: 'Errors',
  about: 'The problem codes of the API, and the codes with which an execution ends `failed`.',
  source: 'packages/contracts/src/problems.ts and execution-errors.ts',
  body: [
    'Every answer that is not a success is a problem document (RFC 9457, `application/problem+json`). Programs may rely on `code`; `detail` is for people. `type` is `urn:settler:problem:` and the code. `errors` is there with `validation_failed`, `requiredScope` with `forbidden` where a scope is missing.',
    json(example),
    '## Problem codes',
    table(
      ['code', 'status', 'title', 'meaning'],
      problemCodes.map((name) => [code(name), String(problems[name].status), problems[name].title, problems[name].meaning]),
    ),
    '## Codes of failed executions',
    '`error.code` of an execution, and of `execution.failed`. `error.side` and `error.line` say where, when there is a place.',
    table(
      ['code', 'meaning'],
      Object.entries(executionErrors).map(([name, meaning]) => [code(name), meaning]),
    ),
  ],
});
