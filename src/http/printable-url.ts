/** Origin and path of a URL, as errors and notices show it: without user information, query and fragment. */
export function printableUrl(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  return parsed === undefined ? 'an unreadable URL' : parsed.origin + parsed.pathname;
}
