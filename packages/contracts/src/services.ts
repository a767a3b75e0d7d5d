/** The five services. Names are also database suffixes, NATS users, token audiences and image names. */
export const services = ['gateway', 'identity', 'jobs', 'executions', 'webhooks'] as const;
export type Service = (typeof services)[number];

/** Those that own a database and speak to the broker. */
export const statefulServices = ['identity', 'jobs', 'executions', 'webhooks'] as const satisfies readonly Service[];
export type StatefulService = (typeof statefulServices)[number];
