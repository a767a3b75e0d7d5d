/** Headers as they came, of which Node drops or joins those that come more than once. */
import type { IncomingMessage } from 'node:http';

/** How often a request has the header. `name`: in lower case. */
export const timesSent = ({ rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>, name: string): number => {
  let times = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const sent = rawHeaders[at] as string;
    // Of every request headers are counted: most names need no other letters to be told apart.
    if (sent.length === name.length && sent.toLowerCase() === name) times += 1;
  }
  return times;
};
