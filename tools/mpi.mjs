// Open MPI for the tests of trainings over several processes: what is there is taken; else, as root on Debian, apt brings it.
// That it cannot be had stops nothing: those tests are then left out, and `npm test` says so.

import process from 'node:process';
import { APT, rootOnDebian, UPDATE } from './browser.mjs';
import { capture, runLabelled, which } from './shell.mjs';

const PACKAGES = ['openmpi-bin', 'libopenmpi-dev', 'libclang-dev'];

/** Whether the crate's feature `mpi` can be built and run: launcher, compiler wrapper, and libclang for the bindings. */
export function hasMpi() {
  if (!which('mpirun') || !which('mpicc')) return false;
  return Boolean(process.env.LIBCLANG_PATH) || PACKAGES.every((name) => capture('dpkg', ['-s', name])?.includes('install ok installed'));
}

/** Installs Open MPI as root on Debian where there is none. */
export async function mpiForTests() {
  if (hasMpi() || !rootOnDebian()) return;
  for (const args of [UPDATE, ['install', '-yq', ...PACKAGES]]) {
    const { code } = await runLabelled('Open MPI, by apt', 'apt-get', args, APT);
    if (code !== 0) return;
  }
}

/** Why there are no tests of MPI. */
export const WITHOUT_MPI = `trainings under mpirun · Open MPI is not here (apt install ${PACKAGES.join(' ')})`;
