/** The release, as MCP clients are told it. It stands here, because bundles and images do not hold the package's own file. */
export const version = '0.1.0';
