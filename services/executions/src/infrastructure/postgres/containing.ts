/** Text that is looked for as it stands: the wildcards of LIKE are letters like any other. */
export const containing = (text: string): string => `%${text.toLowerCase().replaceAll(/[\\%_]/g, '\\$&')}%`;
