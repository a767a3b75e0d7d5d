/** The files of docs/reference, and whether what is committed is what they would be now. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../check/command.ts';
import { auditActionsPage } from './audit-actions.ts';
import { configurationPage } from './configuration.ts';
import { errorsPage } from './errors.ts';
import { eventsPage } from './events.ts';
import { type Page, pageText } from './markdown.ts';
import { metricsPage } from './metrics.ts';
import { routesPage } from './routes.ts';
import { rulesSchemaFile, rulesSchemaText } from './rules-schema.ts';

export const referenceFolder = 'docs/reference';
export const referenceCommand = 'npm run reference';

interface File {
  readonly file: string;
  readonly text: string;
}

const files = (): readonly File[] => {
  const pages = [routesPage(), eventsPage(), errorsPage(), auditActionsPage(), configurationPage(), metricsPage()];
  return [
    ...[indexOf(pages), ...pages].map((page) => ({ file: page.file, text: pageText(page) })),
    { file: rulesSchemaFile, text: rulesSchemaText() },
  ];
};

const indexOf = (pages: readonly Page[]): Page => ({
  file: 'README.md',
  title: 'Reference',
  about: 'What Settler answers to, says and can be told, taken from the code itself.',
  source: 'scripts/reference',
  body: [
    pages.map(({ file, title, about }) => `- [${title}](${file}): ${about}`).join('\n'),
    `Rules as JSON Schema, for editors and programs: [${rulesSchemaFile}](${rulesSchemaFile}).`,
    'Requests and answers field by field: `GET /openapi.json` and `GET /docs` of a running Settler.',
  ],
});

/** Returns the paths that were written. What is there besides is removed: nothing in the folder is written by hand. */
export const writeReference = (folder = join(root, referenceFolder)): string[] => {
  mkdirSync(folder, { recursive: true });
  const wanted = files();
  for (const file of readdirSync(folder)) if (!wanted.some((known) => known.file === file)) rmSync(join(folder, file), { recursive: true });
  return wanted.map(({ file, text }) => {
    writeFileSync(join(folder, file), text);
    return `${referenceFolder}/${file}`;
  });
};

/** What is wrong with the committed files, one line each; none when all of them are what they would be now. */
export const referenceFaults = (folder = join(root, referenceFolder)): string[] => {
  const wanted = files();
  const unknown = filesIn(folder).filter((file) => !wanted.some((known) => known.file === file));
  return [
    ...wanted.flatMap((file) => faultOf(file, folder)),
    ...unknown.map((file) => `${referenceFolder}/${file} is written by hand, and this folder is generated.`),
  ];
};

const faultOf = ({ file, text }: File, folder: string): string[] => {
  const place = `${referenceFolder}/${file}`;
  const committed = filesIn(folder).includes(file) ? readFileSync(join(folder, file), 'utf8').split('\n') : undefined;
  if (committed === undefined) return [`${place} is missing.`];
  const expected = text.split('\n');
  const line = expected.findIndex((text, index) => text !== committed[index]);
  if (line === -1 && expected.length === committed.length) return [];
  const at = line === -1 ? expected.length : line;
  return [`${place}:${at + 1} says «${committed[at] ?? ''}» where the code says «${expected[at] ?? ''}».`];
};

const filesIn = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
};
