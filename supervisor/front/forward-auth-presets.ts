import type { ForwardAuth } from './forward-auth.ts'

type Preset = Omit<ForwardAuth, 'upstream'>

/** Names of auth servers whose settings are known. */
export const presetNames = ['authelia', 'authentik', 'oauth2-proxy'] as const

/** Settings of auth servers, as their manuals give them for nginx's auth_request (2026-11). */
export const presets: Record<(typeof presetNames)[number], Preset> = {
  authelia: {
    path: '/api/authz/auth-request',
    copiedHeaders: ['Remote-User', 'Remote-Groups', 'Remote-Name', 'Remote-Email'],
    signIn: 'location',
  },
  authentik: {
    path: '/outpost.goauthentik.io/auth/nginx',
    copiedHeaders: ['username', 'groups', 'entitlements', 'email', 'name', 'uid'].map(name => `X-authentik-${name}`),
    signIn: { url: '/outpost.goauthentik.io/start?rd={url}' },
  },
  'oauth2-proxy': {
    path: '/oauth2/auth',
    copiedHeaders: ['User', 'Email', 'Groups', 'Preferred-Username'].map(name => `X-Auth-Request-${name}`),
    // a URL would have to be in its whitelist_domains
    signIn: { url: '/oauth2/sign_in?rd={path}' },
  },
}
