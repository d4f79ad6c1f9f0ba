/** Value read from an untrusted text, or the problem with its fix. */
export type Reading<T> = { ok: true; value: T } | { ok: false; problem: string; fix: string }

/** Reason for the failure of route commands while dynamic_routes is not set, with its fix. */
export const withoutDynamicRoutes = 'dynamic_routes is not set\n  fix: set dynamic_routes: {store: file}, and restart'
