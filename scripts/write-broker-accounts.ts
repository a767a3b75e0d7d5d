/** Writes deploy/nats/accounts.conf. A test fails while it differs from what the contracts say. */
import { writeBrokerAccounts } from './deployment/broker-accounts.ts';

writeBrokerAccounts();
