/**
 * Carried by a 503 whose cause is another service than the one that answers, with that service's name. The gateway keeps it to
 * itself, and does not close the answering service to everybody because of it.
 */
export const awayHeader = 'x-settler-away';
