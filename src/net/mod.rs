//! What an address is: source lists, the client behind trusted proxies, PROXY announcements, TLS.
