/** Where the embedded servers run, and what to do elsewhere. */

/** @throws with what to do instead, on a platform that the servers' packages do not come for. */
export const requireEmbeddable = (server: string, platform = `${process.platform}-${process.arch}`): void => {
  if (platform === 'linux-x64') return;
  throw new Error(
    `The embedded ${server} comes for Linux on x64 only; this is ${platform}. ` +
      'Use `docker compose up`, or name servers of yours with NATS_URL and DB_HOST, DB_PORT, DB_USER, DB_PASSWORD.',
  );
};
