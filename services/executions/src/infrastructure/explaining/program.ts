/** Works out why one record has no counterpart: a thread that is made for one question, and ends with it. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Question, Reply } from '../../application/explain.ts';
import { replyTo } from './reply.ts';

const port = parentPort;
if (port === null) throw new Error('this program runs as a thread');
const { question, budgetMs } = workerData as { readonly question: Question; readonly budgetMs: number };
const say = (reply: Reply): void => port.postMessage(reply);
// What is there at once has no prices. What comes after it has, as far as there is time for them.
say(replyTo(question, () => true));
const deadline = performance.now() + budgetMs;
say(replyTo(question, () => performance.now() > deadline));
