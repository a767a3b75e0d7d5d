/** Each wait for a lock in this database, for a condition more behind it. Other test files have databases of their own on the same server. */
export const lockWaits = 'select from pg_locks join pg_stat_activity using (pid) where datname = current_database() and not granted';
