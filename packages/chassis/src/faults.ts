/**
 * Points at which a test may kill the process, as a power cut would: no handlers, no flushing.
 * Without SETTLER_FAULT this is one comparison with undefined. The value is the point's name, or `name#n` for its n-th passing.
 */
const [wanted, nth = '1'] = (process.env['SETTLER_FAULT'] ?? '').split('#');
let passings = 0;

export const faultPoint = (name: string): void => {
  if (wanted !== name) return;
  passings += 1;
  if (passings === Number(nth)) process.kill(process.pid, 'SIGKILL');
};
