import { accessSync, constants, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { errnoOf } from '../../base/errors.ts'
import type { Complain } from '../../config/report.ts'
import { findPasswords } from '../../front/adapters/passwords.ts'
import { isUnfitPath } from '../../nginx/text.ts'
import { type Account, findClosedDirectory } from '../../processes/adapters/users.ts'
import type { UpstreamConfig } from '../../upstreams/keys.ts'
import type { AppSettings } from '../../workers/adapters/app-settings.ts'
import type { Route } from '../keys.ts'

/** Debian's bundle of the authorities that are trusted. */
export const systemAuthorities = '/etc/ssl/certs/ca-certificates.crt'

interface RouteFileKeys {
  routes: readonly Route[]
  upstreams: Readonly<Record<string, UpstreamConfig>>
  directory: string
}

/** Whether the folders and files that routes and upstreams name are there, and can be read by nginx. */
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
  for (const [name, { tls }] of Object.entries(upstreams)) {
    if (!tls?.verify) continue
    const key = `upstreams.${name}.tls`
    if (tls.ca !== undefined) checkFile(`${key}.ca`, resolve(directory, tls.ca), complain)
    else if (!statSync(systemAuthorities, { throwIfNoEntry: false }))
      complain(
        key,
        undefined,
        `cannot be verified: there is no ${systemAuthorities}`,
        `install ca-certificates in the image, or set ${key}.ca, or ${key}.verify to false`,
      )
  }
}

/** An app may turn out to be a folder, which takes no request any further. */
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
      buffering: !target.isBuffered,
      cache: settings.cache !== undefined && settings.cache !== 'off',
    }
    for (const [key, isSet] of Object.entries(keys)) {
      const problem = `is for an app that runs, and ${target.name} is a folder of static files`
      if (isSet)
        complain(`routes.${index}.${key}`, undefined, problem, `leave ${key} out, or set the command of the app`)
    }
  }
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
      'is no folder',
      'name the folder with the files; a relative one starts at the directory of the app',
    )
    return
  }
  if (isUnfitPath(root)) complain(key, root, 'holds characters that nginx cannot take in a path', 'move the folder')
  const closed = nginxUser && findClosedDirectory(root, nginxUser)
  if (closed)
    complain(
      key,
      root,
      `cannot be entered by user ${nginxUser.name}: ${closed} is closed to it`,
      `chmod o+x ${closed}, or move the files`,
    )
}

function checkFile(key: string, path: string, complain: Complain): void {
  try {
    accessSync(path, constants.R_OK)
    if (!statSync(path).isFile()) complain(key, path, 'is no file', 'name a readable file')
  } catch (error) {
    complain(key, path, `cannot be read: ${errnoOf(error)}`, 'name a readable file')
  }
}
