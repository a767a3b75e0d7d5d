/**
 * The memory for bodies that are held until all of them is here. It is counted by what is really held, not by what a client announces, and
 * each organization, or network without credentials, has a share of it: whoever fills theirs leaves the rest to everybody else.
 */
import type { ServerResponse } from 'node:http';
import { Refusal } from '@settler/chassis/refusal';
import { heldBytesMax } from './body.ts';

export interface BodyMemory {
  /**
   * Takes memory for one body of `owner`, and more of it each time that it is called, until `response` is over, which gives all of it back.
   * It throws Refusal `rate_limited` where the share is used up, and `upstream_unavailable` where everything is.
   */
  readonly open: (owner: string, response: ServerResponse) => TakeMemory;
}

export type TakeMemory = (bytes: number) => void;

const shares = 8;

export const createBodyMemory = (bytesMax: number): BodyMemory => {
  const shareBytes = Math.max(heldBytesMax, bytesMax / shares);
  const taken = new Map<string, number>();
  let takenInAll = 0;

  const change = (owner: string, bytes: number): void => {
    takenInAll += bytes;
    const left = (taken.get(owner) ?? 0) + bytes;
    if (left > 0) taken.set(owner, left);
    else taken.delete(owner);
  };
  const requireRoom = (owner: string, bytes: number): void => {
    if ((taken.get(owner) ?? 0) + bytes > shareBytes) {
      const detail = `The bodies that you are sending at once have more than ${shareBytes} bytes; let some of them be answered first.`;
      throw new Refusal('rate_limited', detail, { retryAfterSeconds: 1 });
    }
    if (takenInAll + bytes > bytesMax) {
      throw new Refusal('upstream_unavailable', 'Too many bodies are on their way at once.', { retryAfterSeconds: 1 });
    }
  };

  return {
    open: (owner, response) => {
      let own = 0;
      let isOver = false;
      response.once('close', () => {
        isOver = true;
        change(owner, -own);
      });
      return (bytes) => {
        if (isOver) return;
        requireRoom(owner, bytes);
        own += bytes;
        change(owner, bytes);
      };
    },
  };
};
