export const BrandMark = ({ size = 26 }: { readonly size?: number }) => (
  <svg width={size} height={size} viewBox="0 0 26 26" aria-hidden="true">
    <g fill="none" stroke="currentColor" strokeWidth="2.2" strokeLinecap="round">
      <path d="M7 3v20M13 3v5.5M13 17.5V23M19 3v20M3 7h20M3 19h20" />
    </g>
    <circle className="brand-dot" cx="13" cy="13" r="3.1" />
  </svg>
);
