/** The policy the bridge serves the page with: nothing inline, nothing from elsewhere. */
export const contentSecurityPolicy =
  "default-src 'self'; connect-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";
