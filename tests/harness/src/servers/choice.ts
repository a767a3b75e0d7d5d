/** Which servers a run gets: containers where a Docker daemon has the images, else the embedded ones. `SETTLER_TEST_SERVERS` decides otherwise. */
import { type Docker, dockerOf, natsImage, postgresImage } from './docker.ts';

export type Choice = { readonly kind: 'embedded' } | { readonly kind: 'containers'; readonly docker: Docker };

/** @throws where containers are demanded and cannot be had: who demands them wants to know that the tests ran on them. */
export const chooseServers = async (environment: NodeJS.ProcessEnv): Promise<Choice> => {
  const wanted = environment['SETTLER_TEST_SERVERS'] || 'any';
  if (wanted !== 'any' && wanted !== 'embedded' && wanted !== 'containers') {
    throw new Error('SETTLER_TEST_SERVERS must be embedded or containers, or absent.');
  }
  if (wanted === 'embedded') return { kind: 'embedded' };
  const docker = dockerOf(environment);
  if (docker !== undefined && (await docker.hasImage(postgresImage)) && (await docker.hasImage(natsImage)))
    return { kind: 'containers', docker };
  if (wanted === 'any') return { kind: 'embedded' };
  throw new Error(`SETTLER_TEST_SERVERS=containers, but no Docker daemon answers that has ${postgresImage} and ${natsImage}.`);
};
