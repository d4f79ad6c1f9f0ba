import { accessSync, constants, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { errnoOf } from '../../base/errors.ts'
import type { Complain } from '../../config/report.ts'
import { findPasswords } from '../../front/adapters/passwords.ts'
import { isUnfitPath } from '../../nginx/text.ts'
import { type Account, findClosedDirectory } from '../../processes/adapters/users.ts'
import type { UpstreamConfig } from '../../upstreams/keys.ts'
import { isOfUrl } from '../../upstreams/upstream.ts'
import type { AppSettings } from '../../workers/adapters/app-settings.ts'
import type { Route } from '../keys.ts'

/** Debian's bundle of trusted CA certificates. */
export const systemAuthorities = '/etc/ssl/certs/ca-certificates.crt'

interface RouteFileKeys {
  routes: readonly Route[]
  upstreams: Readonly<Record<string, UpstreamConfig>>
  directory: string
}

/** Checks that the directories and files named by routes and upstreams exist and that nginx can read them. */
export function checkRoutes(
  { routes, upstreams, directory }: RouteFileKeys,
  { nginxUser, complain }: { nginxUser: Account | undefined; complain: Complain },
): void {
  for (const [index, { target, settings, snippet }] of routes.entries()) {
    const key = `routes.${index}`
    if (target.kind === 'files')
      checkRoot(`${key}.files.root`, resolve(directory, target.root), { nginxUser, complain })
    if (settings.basic_auth && settings.basic_auth !== 'off')
      findPasswords(settings.basic_auth.file, { key: `${key}.basic_auth.file`, directory, nginxUser, complain })
    if (snippet !== undefined) checkFile(`${key}.snippet`, resolve(directory, snippet), complain)
  }
  for (const [name, { php, tls }] of Object.entries(upstreams)) {
    if (php)
      checkScripts(`upstreams.${name}.php`, resolve(directory, php.root), php.front_controller, { nginxUser, complain })
    if (!tls?.verify) continue
    const key = `upstreams.${name}.tls`
    if (tls.ca !== undefined) checkFile(`${key}.ca`, resolve(directory, tls.ca), complain)
    else if (!statSync(systemAuthorities, { throwIfNoEntry: false }))
      complain(
        isOfUrl({ name }) ? `routes.${routeOfUrl(name, routes)}.forward_auth.url` : key,
        isOfUrl({ name }) ? name : undefined,
        `cannot be verified: ${systemAuthorities} does not exist`,
        `install ca-certificates in the image, ${isOfUrl({ name }) ? 'or set upstream in place of url, and upstreams with tls' : `set ${key}.ca, or set ${key}.verify to false`}`,
      )
  }
}

/** Number of the first route with an auth server that an upstream was made for. */
function routeOfUrl(name: string, routes: readonly Route[]): number {
  return routes.findIndex(({ settings }) => settings.forward_auth?.upstream === name)
}

/** Checks that routes to an app served as static files set no proxy keys. */
export function checkStaticApps(
  { routes }: Pick<RouteFileKeys, 'routes'>,
  { apps, complain }: { apps: readonly Pick<AppSettings, 'name' | 'content'>[]; complain: Complain },
): void {
  for (const [index, { target, settings }] of routes.entries()) {
    const content = target.kind === 'app' ? apps.find(({ name }) => name === target.name)?.content : undefined
    if (target.kind !== 'app' || content?.kind !== 'files') continue
    const keys = {
      rewrite: target.rewrite !== undefined,
      read_timeout: target.readTimeoutMs !== undefined,
      buffering: target.buffering !== undefined,
      cache: settings.cache !== undefined && settings.cache !== 'off',
    }
    for (const [key, isSet] of Object.entries(keys)) {
      const problem = `requires an app with workers, and ${target.name} is a directory of static files`
      if (isSet) complain(`routes.${index}.${key}`, undefined, problem, `remove ${key}, or set the app's command`)
    }
  }
}

/** Checks the directory of an upstream's scripts: nginx finds them here, and the servers run theirs. */
function checkScripts(
  key: string,
  root: string,
  script: string,
  options: { nginxUser: Account | undefined; complain: Complain },
): void {
  checkRoot(`${key}.root`, root, options)
  if (script === 'off' || !statSync(root, { throwIfNoEntry: false })) return
  if (!statSync(join(root, script), { throwIfNoEntry: false })?.isFile())
    options.complain(
      `${key}.front_controller`,
      script,
      `does not exist in ${root}`,
      'copy the document root of the upstream here, name the script that responds where no file exists, or set off',
    )
}

function checkRoot(
  key: string,
  root: string,
  { nginxUser, complain }: { nginxUser: Account | undefined; complain: Complain },
): void {
  if (!statSync(root, { throwIfNoEntry: false })?.isDirectory()) {
    complain(
      key,
      root,
      'is not a directory',
      'set it to the directory with the files; a relative path starts at the directory of the app',
    )
    return
  }
  if (isUnfitPath(root))
    complain(key, root, 'contains characters that nginx would misread in a path', 'rename the directory')
  const closed = nginxUser && findClosedDirectory(root, nginxUser)
  if (closed)
    complain(
      key,
      root,
      `is not accessible to user ${nginxUser.name}: it may not enter ${closed}`,
      `chmod o+x ${closed}, or move the files`,
    )
}

function checkFile(key: string, path: string, complain: Complain): void {
  try {
    accessSync(path, constants.R_OK)
    if (!statSync(path).isFile()) complain(key, path, 'is not a file', 'name a readable file')
  } catch (error) {
    complain(key, path, `cannot be read: ${errnoOf(error)}`, 'name a readable file')
  }
}
