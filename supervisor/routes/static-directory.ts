/** Content of a directory, as far as it is served. */
export interface DirectoryContent {
  /** Precompressed files. */
  gzip: boolean
  brotli: boolean
  /** Symbolic links; the scan did not follow them. */
  links: boolean
  /** Directories that a user other than an operator may write to. */
  writable: boolean
}

/** Facts about a directory of static files. */
export interface DirectoryFacts {
  content: DirectoryContent
  /** Type of the file system that contains all of it; undefined if there are several. */
  fileSystem: string | undefined
}

/** Facts by path. */
export type Directories = ReadonlyMap<string, DirectoryFacts>

/** Checks that nginx makes with each request for a file, or can skip. */
export interface DirectoryShortcuts {
  /** Whether nginx looks for a compressed file beside the requested one. */
  looksForGzip: boolean
  looksForBrotli: boolean
  /** Whether nginx checks each part of the path for a symbolic link. */
  looksForLinks: boolean
  /** Whether frequently requested files stay open, and if so, how often nginx checks them for changes. */
  keepsOpen: 'never' | 'each request' | 'a second'
}

/** File system of a container's image and of its writable layer. */
const ownLayer = 'overlay'

/** File systems on which the mode of a directory shows who may write to it. */
const modeFileSystems = new Set(['ext2', 'ext3', 'ext4', 'xfs', 'btrfs', 'f2fs', 'zfs', 'tmpfs', 'squashfs', 'erofs'])

/** Whether there are no symbolic links, and only an operator can create one. */
export function isLinkless({ content, fileSystem }: DirectoryFacts): boolean {
  return !content.links && !content.writable && modeFileSystems.has(fileSystem ?? '')
}

/** Options of a route that serves a directory. */
export interface DirectoryUse {
  /** Whether symbolic links are followed, wherever they lead. */
  followsLinks: boolean
  /** Whether the route is for one exact path. It may be hidden, and so not scanned. */
  isExact: boolean
}

/** Shortcuts for a directory. Without facts about it, nothing is skipped. */
export function shortcutsOf(
  facts: DirectoryFacts | undefined,
  { followsLinks, isExact }: DirectoryUse,
): DirectoryShortcuts {
  if (!facts) return { looksForGzip: true, looksForBrotli: true, looksForLinks: !followsLinks, keepsOpen: 'never' }
  const { content, fileSystem } = facts
  const leadsElsewhere = followsLinks && content.links
  const looksForLinks = !followsLinks && (isExact || !isLinkless(facts))
  return {
    looksForGzip: content.gzip || leadsElsewhere,
    looksForBrotli: content.brotli || leadsElsewhere,
    looksForLinks,
    keepsOpen: followsLinks ? 'never' : keepsOpenOn(fileSystem, looksForLinks),
  }
}

/** Choice for open files. The check for links opens the file anyway, so keeping it open would gain nothing. */
function keepsOpenOn(fileSystem: string | undefined, looksForLinks: boolean): DirectoryShortcuts['keepsOpen'] {
  if (fileSystem === ownLayer) return 'a second'
  return looksForLinks ? 'never' : 'each request'
}
