/** What miniupnpd 2.3.1 (Debian) said to a program at 192.168.1.101 behind 28.1.0.10. */
export const recorded = {
  natPmp: {
    external: "00 80 0000 000086bb 1c01000a",
    mapped: "00 81 0000 000086bb 9c40 9c40 00001c20",
    deleted: "00 81 0000 000086bb 9c40 0000 00000000",
  },
  pcp: {
    /** Nonce 01 to 0c, port 40001. */
    mapped:
      "02 81 00 00 00001c20 000086bc 000000000000000000000000 0102030405060708090a0b0c 11 000000 9c41 9c41 00000000000000000000ffff1c01000a",
    otherVersion:
      "02 81 00 01 00000000 000086bb 000000000000000000000000 000000000000000000000000 00 000000 0000 0000 00000000000000000000000000000000",
    notAuthorized:
      "02 81 00 02 00000000 000086bc 000000000000000000000000 0102030405060708090a0b0c 11 000000 9c41 9c41 00000000000000000000ffff1c01000a",
    /** Of 2001:db8:1:1::101, port 40003. */
    pinhole:
      "02 81 00 00 00001c20 000086bc 000000000000000000000000 0102030405060708090a0b0c 11 000000 9c43 9c43 20010db8000100010000000000000101",
  },
  search: [
    "HTTP/1.1 200 OK",
    "CACHE-CONTROL: max-age=120",
    "ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1",
    "USN: uuid:6e61746c-6162-4000-8000-000000000001::urn:schemas-upnp-org:device:InternetGatewayDevice:1",
    "EXT:",
    "SERVER: Debian/6.18 UPnP/1.1 MiniUPnPd/2.3.1",
    "LOCATION: http://192.168.1.1:5000/rootDesc.xml",
    'OPT: "http://schemas.upnp.org/upnp/1/0/"; ns=01',
    "01-NLS: 1795386348",
    "BOOTID.UPNP.ORG: 1795386348",
    "CONFIGID.UPNP.ORG: 1337",
    "",
    "",
  ].join("\r\n"),
  /** What stands between the services is left out. */
  description: `<?xml version="1.0"?>
<root xmlns="urn:schemas-upnp-org:device-1-0" configId="1337"><specVersion><major>1</major><minor>1</minor></specVersion><device><deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:2</deviceType><friendlyName>Debian router</friendlyName><manufacturerURL>http://www.debian.org/</manufacturerURL><UDN>uuid:6e61746c-6162-4000-8000-000000000001</UDN><serviceList><service><serviceType>urn:schemas-upnp-org:service:Layer3Forwarding:1</serviceType><serviceId>urn:upnp-org:serviceId:L3Forwarding1</serviceId><SCPDURL>/L3F.xml</SCPDURL><controlURL>/ctl/L3F</controlURL><eventSubURL>/evt/L3F</eventSubURL></service></serviceList><deviceList><device><deviceType>urn:schemas-upnp-org:device:WANDevice:2</deviceType><friendlyName>WANDevice</friendlyName><serviceList><service><serviceType>urn:schemas-upnp-org:service:WANCommonInterfaceConfig:1</serviceType><serviceId>urn:upnp-org:serviceId:WANCommonIFC1</serviceId><SCPDURL>/WANCfg.xml</SCPDURL><controlURL>/ctl/CmnIfCfg</controlURL><eventSubURL>/evt/CmnIfCfg</eventSubURL></service></serviceList><deviceList><device><deviceType>urn:schemas-upnp-org:device:WANConnectionDevice:2</deviceType><serviceList><service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:2</serviceType><serviceId>urn:upnp-org:serviceId:WANIPConn1</serviceId><SCPDURL>/WANIPCn.xml</SCPDURL><controlURL>/ctl/IPConn</controlURL><eventSubURL>/evt/IPConn</eventSubURL></service><service><serviceType>urn:schemas-upnp-org:service:WANIPv6FirewallControl:1</serviceType><serviceId>urn:upnp-org:serviceId:WANIPv6Firewall1</serviceId><SCPDURL>/WANIP6FC.xml</SCPDURL><controlURL>/ctl/IP6FCtl</controlURL><eventSubURL>/evt/IP6FCtl</eventSubURL></service></serviceList></device></deviceList></device></deviceList><presentationURL>http://192.168.1.1/</presentationURL></device></root>`,
  externalIp: `<?xml version="1.0"?>
<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body><u:GetExternalIPAddressResponse xmlns:u="urn:schemas-upnp-org:service:WANIPConnection:1"><NewExternalIPAddress>28.1.0.10</NewExternalIPAddress></u:GetExternalIPAddressResponse></s:Body></s:Envelope>

`,
  added: `<?xml version="1.0"?>
<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body><u:AddPortMappingResponse xmlns:u="urn:schemas-upnp-org:service:WANIPConnection:1"/></s:Body></s:Envelope>

`,
  reserved: `<?xml version="1.0"?>
<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body><u:AddAnyPortMappingResponse xmlns:u="urn:schemas-upnp-org:service:WANIPConnection:2"><NewReservedPort>40010</NewReservedPort></u:AddAnyPortMappingResponse></s:Body></s:Envelope>
`,
  conflict: `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body><s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail><UPnPError xmlns="urn:schemas-upnp-org:control-1-0"><errorCode>718</errorCode><errorDescription>ConflictInMappingEntry</errorDescription></UPnPError></detail></s:Fault></s:Body></s:Envelope>`,
} as const;
