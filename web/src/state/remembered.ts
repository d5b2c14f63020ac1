// Small choices kept in cookies: a port is new at each start, and cookies, unlike storage, do not mind the port.

const YEAR = 31536000; // seconds

export function recall(name: string): string {
  const found = document.cookie.split("; ").find((part) => part.startsWith(`handful_${name}=`));
  return found ? decodeURIComponent(found.slice(found.indexOf("=") + 1)) : "";
}

export function remember(name: string, value: string): void {
  document.cookie = `handful_${name}=${encodeURIComponent(value)}; max-age=${YEAR}; path=/; samesite=strict`;
}
