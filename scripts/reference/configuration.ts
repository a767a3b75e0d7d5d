import { brokerSettings, databaseSettings, serviceSettings } from '@settler/chassis/config';
import { type Service, services, statefulServices } from '@settler/contracts/services';
import { z } from 'zod';
import { provisionConfig, waitConfig } from '../../packages/provision/src/config.ts';
import { config as executions } from '../../services/executions/src/config.ts';
import { config as gateway } from '../../services/gateway/src/config.ts';
import { config as identity } from '../../services/identity/src/config.ts';
import { config as jobs } from '../../services/jobs/src/config.ts';
import { config as webhooks } from '../../services/webhooks/src/config.ts';
import { onlyPassedOnNames, startDefaults, startSettings } from '../supervisor/settings.ts';
import { code, duration, type Page, table } from './markdown.ts';
import { type JsonSchema, typeText } from './schema.ts';

const configs: Readonly<Record<Service, z.ZodObject>> = { gateway, identity, jobs, executions, webhooks };
const settingsOfMany = { ...serviceSettings, ...databaseSettings, ...brokerSettings };
const brokerUrlName = 'NATS_<SERVICE>_URL';

export const configurationPage = (): Page => ({
  file: 'configuration.md',
  title: 'Configuration',
  about: 'Every setting of `npm start`, of each service and of the programs that prepare their stores, with its default.',
  source: 'every config.ts, and scripts/supervisor/settings.ts',
  body: [
    'Settings come from the environment. An empty one counts as absent. A missing or malformed one stops the process with a list of all of them. Durations are in milliseconds.',
    '## `npm start`',
    settingsTable(startSettings.shape),
    `\`NATS_IDENTITY_URL\` and so on, for ${statefulServices.join(', ')}, are the credentials of each service at a server of yours. These are passed on to the services as they are:`,
    table(['setting', 'default', 'meaning'], onlyPassedOnNames.map(passedOnRow)),
    'Everything else that services need is made by `npm start` itself. Generated secrets are in `secrets.json` of the data directory.',
    '## Every service',
    settingsTable(serviceSettings),
    `## ${statefulServices.join(', ')}`,
    settingsTable({ ...databaseSettings, ...brokerSettings }),
    `\`${brokerUrlName}\`, such as \`NATS_JOBS_URL\`, takes the place of \`NATS_URL\` for that service. With \`OTLP_ENDPOINT\` set, OpenTelemetry's own \`OTEL_…\` variables are honoured as well.`,
    ...services.flatMap((service) => [`## ${service} alone`, ownSettings(service)]),
    '## provision, `main`',
    settingsTable(provisionConfig.shape),
    '## provision, `wait`',
    settingsTable(waitConfig.shape),
  ],
});

const settingsTable = (shape: z.ZodRawShape): string => table(['setting', 'value', 'default', 'meaning'], settingRows(z.object(shape)));

const ownSettings = (service: Service): string => {
  const own = Object.fromEntries(Object.entries(configs[service].shape).filter(([name]) => !(name in settingsOfMany)));
  return Object.keys(own).length === 0 ? 'Nothing more.' : settingsTable(own);
};

const settingRows = (schema: z.ZodObject): string[][] => {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  return Object.entries(properties).map(([name, setting]) => [
    code(name),
    typeText(setting),
    required.includes(name) ? 'required' : defaultText(name, setting.default),
    meaningOf(name, setting),
  ]);
};

const meaningOf = (name: string, { description }: JsonSchema): string => {
  if (description === undefined) throw new Error(`the setting ${name} has no description`);
  return description;
};

const defaultText = (name: string, value: unknown): string => {
  if (value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) return '';
  return name.endsWith('_MS') && typeof value === 'number' && value > 0
    ? `${code(String(value))} (${duration(value)})`
    : code(String(value));
};

/** Described by the services that read it. A setting that none of them reads would be passed on for nothing. */
const passedOnRow = (name: (typeof onlyPassedOnNames)[number]): string[] => {
  if (name === 'NODE_EXTRA_CA_CERTS') return [code(name), '', 'A file of certificates that Node trusts beside its own.'];
  const readers = services.filter((service) => name in configs[service].shape);
  const [reader] = readers;
  if (reader === undefined) throw new Error(`${name} is passed on by npm start, and no service reads it`);
  const { [name]: setting } = configs[reader].shape;
  const row = settingRows(z.object({ [name]: setting as z.ZodType }))[0] ?? [];
  const [, , fallback = '', meaning = ''] = row;
  const { [name]: own } = startDefaults;
  if (name === 'PUBLIC_URL') return [code(name), "the gateway's address", meaning];
  return [code(name), own === undefined ? fallback : code(own), meaning];
};
