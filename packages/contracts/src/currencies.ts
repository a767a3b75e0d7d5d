/**
 * The codes of ISO 4217, which are data and not the platform's: those that Node knows change with its version, and lack the withdrawn
 * ones, which old records still have.
 */
import { currencyCode } from './currency-codes.ts';

/** List one, as of January 2026: currencies, funds, metals, and the codes for tests and for none. */
export const currentCurrencies: readonly string[] =
  `AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CLF CLP CNY
   COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD
   IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN
   MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD
   SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAD XAF XAG XAU XBA
   XBB XBC XBD XCD XCG XDR XOF XPD XPF XPT XSU XTS XUA XXX YER ZAR ZMW ZWG`.split(/\s+/);

/** List three: withdrawn. */
export const withdrawnCurrencies: readonly string[] =
  `ADP AFA ALK ANG AOK AON AOR ARA ARP ARY ATS AYM AZM BAD BEC BEF BEL BGJ BGK BGL BGN BOP BRB BRC BRE BRN BRR BUK BYB BYR CHC CSD
   CSJ CSK CUC CYP DDM DEM ECS ECV EEK ESA ESB ESP FIM FRF GEK GHC GHP GNE GNS GQE GRD GWE GWP HRD HRK IEP ILP ILR ISJ ITL LAJ LSM
   LTL LTT LUC LUF LUL LVL LVR MGF MLF MRO MTL MTP MVQ MXP MZE MZM NIC NLG PEH PEI PES PLZ PTE RHD ROK ROL RUR SDD SDP SIT SKK SLL
   SRG STD SUR TJR TMM TPE TRL UAK UGS UGW USS UYN UYP VEB VEF VNC XEU XFO XFU XRE YDD YUD YUM YUN ZAL ZMK ZRN ZRZ ZWC ZWD ZWL ZWN
   ZWR`.split(/\s+/);

// Of a letter its lowest five bits: what is looked up for each record of millions takes two shifts and no hashing.
const placeOf = (code: number): number => ((code >>> 6) & 0x7c00) | ((code >>> 3) & 0x3e0) | (code & 0x1f);

const listed = new Uint8Array(1 << 15);
for (const text of [...currentCurrencies, ...withdrawnCurrencies]) listed[placeOf(currencyCode(text))] = 1;

/** @param code of three upper-case letters, as `currencyCode` makes it, or `noCurrency` */
export const isListed = (code: number): boolean => listed[placeOf(code)] === 1;

/** Whether a text is a code of ISO 4217, upper case. */
export const isCurrency = (text: string): boolean => isListed(currencyCode(text));
