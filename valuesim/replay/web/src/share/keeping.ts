// Files that the browser saves: made here, and sent nowhere.

/** How long an address of a file is kept for the browser to read it, in milliseconds. */
const READ_MS = 60_000;

export function keep(content: Blob, name: string): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), READ_MS);
}

export function bytes(n: number): string {
  return n >= 1e6 ? `${(n / 1e6).toFixed(1)} MB` : `${Math.max(1, Math.round(n / 1e3))} kB`;
}

/** Return a file's name with only letters, digits, "-" and "_" in it. */
export function plainName(name: string): string {
  const kept = name.replace(/[^A-Za-z0-9_]+/g, "-").replace(/^-+|-+$/g, "");
  return kept.slice(0, 100) || "picture";
}
