/**
 * Carried by a 503 that says nothing about how the service is that answers: another one is away, there is too much of one kind of work,
 * one question took too long, or others were at the same. The gateway keeps it to itself, and does not close the service to everybody because of it.
 */
export const awayHeader = 'x-settler-away';

/** `what`: the other service's name, or the work. */
export const becauseOf = (what: string): Readonly<Record<string, string>> => ({ [awayHeader]: what });
