/** What identity writes into access tokens and the gateway demands of them. */
export const accessTokenAudience = 'settler-api';

/** The issuer where the installation has no PUBLIC_URL. */
export const accessTokenIssuerDefault = 'settler';

/** How long an access token lasts. */
export const accessTokenSeconds = 900;
