/** The nats-server configuration of a Settler: one user per service, each with least privilege, so that no service can pose as another. */
import { askedToErase } from '@settler/contracts/internal/erasure';
import { type StatefulService, statefulServices } from '@settler/contracts/services';
import { type ConsumerDefinition, consumers, type StreamDefinition, streams } from '@settler/contracts/streams';
import { erasureAcknowledgementSubject, erasureRequestSubject } from '@settler/contracts/subjects';
import { streamsKeptBy } from './janitor.ts';

export interface BrokerAccount {
  readonly name: string;
  /** Plain text, or `$VARIABLE`, which nats-server reads from its environment. */
  readonly passwords: Readonly<Record<StatefulService | 'admin', string>>;
}

export interface Permissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/** What the user of a service may publish and hear: its own subjects, its own consumers and streams, its own replies. */
export const permissionsOf = (service: StatefulService): Permissions => {
  const own = Object.values<ConsumerDefinition>(consumers).filter((consumer) => consumer.service === service);
  const pulls = own.flatMap(({ stream, durable }) => [
    `$JS.API.CONSUMER.MSG.NEXT.${stream}.${durable}`,
    `$JS.API.CONSUMER.INFO.${stream}.${durable}`,
    `$JS.ACK.${stream}.${durable}.>`,
    // The form of acknowledgements from server 2.15 on: account and domain come first.
    `$JS.ACK.*.*.${stream}.${durable}.>`,
  ]);
  const kept = streamsKeptBy(service).flatMap(({ name }) => [
    `$JS.API.STREAM.INFO.${name}`,
    `$JS.API.STREAM.PURGE.${name}`,
    ...Object.values<ConsumerDefinition>(consumers)
      .filter(({ stream }) => stream === name)
      .map(({ durable }) => `$JS.API.CONSUMER.INFO.${name}.${durable}`),
  ]);
  const work = Object.values<StreamDefinition>(streams)
    .flatMap((stream) => stream.subjects)
    .some((subject) => subject.startsWith('work.'));
  return {
    publish: [
      `evt.${service}.>`,
      `aud.${service}.>`,
      ...(work && service === 'executions' ? ['work.executions'] : []),
      ...(work && service === 'jobs' ? ['work.runs'] : []),
      ...(work ? (service === 'identity' ? askedToErase.map(erasureRequestSubject) : [erasureAcknowledgementSubject(service)]) : []),
      ...new Set([...pulls, ...kept]),
    ],
    subscribe: [`_INBOX_${service}.>`],
  };
};

const list = (subjects: readonly string[]) => `[${subjects.map((subject) => JSON.stringify(subject)).join(', ')}]`;
const secret = (text: string) => (text.startsWith('$') ? text : JSON.stringify(text));

const account = ({ name, passwords }: BrokerAccount): string => {
  const services = statefulServices.map((service) => {
    const { publish, subscribe } = permissionsOf(service);
    return `      { user: ${name}_${service}, password: ${secret(passwords[service])}, permissions: { publish: { allow: ${list(publish)} }, subscribe: { allow: ${list(subscribe)} } } }`;
  });
  return [
    `  ${name}: {`,
    '    jetstream: enabled',
    '    users: [',
    `      { user: ${name}_admin, password: ${secret(passwords.admin)} }`,
    ...services,
    '    ]',
    '  }',
  ].join('\n');
};

/** The part of nats.conf that says who may do what; addresses, ports and the storage folder are the caller's. */
export const brokerConfiguration = ({ accounts }: { accounts: readonly BrokerAccount[] }): string =>
  ['max_payload: 1MB', 'accounts: {', ...accounts.map(account), '}', ''].join('\n');
