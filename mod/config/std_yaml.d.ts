/** The typed face of the standard library's YAML parser, of which the npm republication has only the code. */
export declare class YamlSyntaxError extends Error {}
export declare function parse(content: string): unknown;
