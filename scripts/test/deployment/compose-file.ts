/** docker-compose.yml as Compose reads it: anchors merged, variables replaced. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { root } from '../../check/command.ts';

const scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const service = z.object({
  image: z.string(),
  build: z.object({ dockerfile: z.string(), args: z.object({ SERVICE: z.string() }) }).optional(),
  environment: z.record(z.string(), scalar).default({}),
  networks: z.array(z.string()),
  ports: z.array(z.string()).default([]),
  logging: z.object({ driver: z.string(), options: z.record(z.string(), z.string()) }).optional(),
  read_only: z.boolean().default(false),
  cap_drop: z.array(z.string()).default([]),
  security_opt: z.array(z.string()).default([]),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
});
const composeFile = z.object({
  services: z.record(z.string(), service),
  networks: z.record(z.string(), z.object({ internal: z.boolean().default(false) })),
});

const text = readFileSync(`${root}docker-compose.yml`, 'utf8');
const variablePattern = /\$\{(?<name>[A-Z0-9_]+)(?<rule>:-|:\?)(?<rest>[^}]*)\}/g;

export interface Variable {
  readonly name: string;
  /** Whether Compose refuses to start without it. */
  readonly isRequired: boolean;
}

export const composeVariablesWanted = (): Variable[] => {
  const found = [...text.matchAll(variablePattern)].map(({ groups }) => [groups?.['name'] ?? '', groups?.['rule'] === ':?'] as const);
  return [...new Map(found)].map(([name, isRequired]) => ({ name, isRequired }));
};

/** @throws for a variable that is required and absent */
export const readComposeFile = (variables: Readonly<Record<string, string>>): z.output<typeof composeFile> => {
  const replace = (written: string): string =>
    written.replaceAll(variablePattern, (_whole, name: string, rule: string, rest: string) => {
      const value = variables[name] ?? '';
      if (value === '' && rule === ':?') throw new Error(`${name} is required: ${rest}`);
      return value === '' && rule === ':-' ? rest : value;
    });
  // Only once it is parsed: an empty variable is an empty text, and not nothing.
  const value: unknown = parse(text, (_key, read: unknown) => (typeof read === 'string' ? replace(read) : read), { merge: true });
  return composeFile.parse(value);
};
