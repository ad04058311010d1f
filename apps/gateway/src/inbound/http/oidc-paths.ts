/** The pages between the browser and the OpenID provider. */
export const oidcStartPath = '/auth/oidc/start';
export const oidcCallbackPath = '/auth/oidc/callback';
