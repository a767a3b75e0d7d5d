/** An organization's name as it stands in addresses: lower case ASCII, digits and single hyphens. */
const lengthMax = 40;

export const slugOf = (name: string): string => {
  const words = name
    .normalize('NFKD')
    .replaceAll(/\p{Mark}/gu, '')
    .toLowerCase()
    .match(/[a-z0-9]+/g);
  const slug = (words ?? []).join('-').slice(0, lengthMax).replace(/-$/, '');
  return slug === '' ? 'organization' : slug;
};
