/** A bound on what is going on at once. Whoever finds no place is told so at once, instead of waiting for one until it is too late. */
import type { ServerResponse } from 'node:http';

export interface Places {
  /** Takes a place until `response` is over. Returns whether there was one. */
  readonly take: (response: ServerResponse) => boolean;
}

export const createPlaces = (max: number): Places => {
  let taken = 0;
  return {
    take: (response) => {
      if (taken >= max) return false;
      // Of one that is over already no event will tell that it is, and whoever wanted to forward it will see that at once.
      if (response.req.socket.destroyed) return true;
      taken += 1;
      response.once('close', () => {
        taken -= 1;
      });
      return true;
    },
  };
};
