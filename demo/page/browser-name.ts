// What the others see in the list: "Chromium on Linux".

/** The part of `navigator` that tells. */
export interface Navigator {
  readonly userAgent: string;
  /** Chromium's own answer; it has a name for builds that claim to be Chrome in the user agent. */
  readonly userAgentData?: { readonly brands: readonly { readonly brand: string }[] };
}

// The order matters: most browsers also claim to be those further down.
const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/\bEdg(e|A|iOS)?\//, 'Edge'],
  [/\b(OPR|Opera)\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\b(Firefox|FxiOS)\//, 'Firefox'],
  [/\b(HeadlessChrome|Chromium)\//, 'Chromium'],
  [/\b(Chrome|CriOS)\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
];

const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/\bAndroid\b/, 'Android'],
  [/\b(iPhone|iPod)\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b/, 'macOS'],
  [/\bLinux\b/, 'Linux'],
];

export function browserName({ userAgent, userAgentData }: Navigator): string {
  const browser = find(BROWSERS, userAgent) ?? 'Browser';
  const system = find(SYSTEMS, userAgent);
  const name = browser === 'Chrome' && isPlainChromium(userAgentData) ? 'Chromium' : browser;
  return system === undefined ? name : `${name} on ${system}`;
}

function find(known: readonly (readonly [RegExp, string])[], userAgent: string): string | undefined {
  return known.find(([pattern]) => pattern.test(userAgent))?.[1];
}

function isPlainChromium(data: Navigator['userAgentData']): boolean {
  const brands = data?.brands.map(({ brand }) => brand) ?? [];
  return brands.includes('Chromium') && !brands.includes('Google Chrome');
}
