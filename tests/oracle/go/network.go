package main

type networkingConfig struct {
	EndpointsConfig map[string]*endpoint
}

type endpoint struct {
	IPAMConfig          *endpointIPAM
	Links, Aliases      []string
	MacAddress          string
	DriverOpts          map[string]string
	GwPriority          int
	NetworkID           string   `oracle:"answer"`
	EndpointID          string   `oracle:"answer"`
	Gateway             string   `oracle:"answer"`
	IPAddress           string   `oracle:"answer"`
	IPPrefixLen         int      `oracle:"answer"`
	IPv6Gateway         string   `oracle:"answer"`
	GlobalIPv6Address   string   `oracle:"answer"`
	GlobalIPv6PrefixLen int      `oracle:"answer"`
	DNSNames            []string `oracle:"answer"`
}

type endpointIPAM struct {
	IPv4Address, IPv6Address string
	LinkLocalIPs             []string
}

type networkCreate struct {
	networkOptions
	Name           string
	CheckDuplicate *bool
}

type networkOptions struct {
	Driver, Scope          string
	EnableIPv4, EnableIPv6 *bool
	IPAM                   *ipam
	Internal, Attachable   bool
	Ingress, ConfigOnly    bool
	ConfigFrom             *configFrom
	Options, Labels        map[string]string
}

type ipam struct {
	Driver  string
	Options map[string]string
	Config  []ipamConfig
}

type ipamConfig struct {
	Subnet, IPRange, Gateway string
	AuxiliaryAddresses       map[string]string
}

type configFrom struct{ Network string }

type networkConnect struct {
	Container      string
	EndpointConfig *endpoint
}

type networkDisconnect struct {
	Container string
	Force     bool
}

type volumeCreate struct {
	ClusterVolumeSpec *clusterVolumeSpec
	Driver            string
	DriverOpts        map[string]string
	Labels            map[string]string
	Name              string
}

type volumeUpdate struct{ Spec *clusterVolumeSpec }

type clusterVolumeSpec struct {
	Group                     string
	AccessMode                *accessMode
	AccessibilityRequirements *topologies
	CapacityRange             *capacityRange
	Secrets                   []volumeSecret
	Availability              string
}

type accessMode struct {
	Scope, Sharing string
	MountVolume    *mountVolume
	BlockVolume    *struct{}
}

type mountVolume struct {
	FsType     string
	MountFlags []string
}

type topologies struct{ Requisite, Preferred []topology }

type topology struct{ Segments map[string]string }

type capacityRange struct{ RequiredBytes, LimitBytes int64 }

type volumeSecret struct{ Key, Secret string }
