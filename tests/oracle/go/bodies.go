package main

// bodies has every JSON body of the API by Docker's operation id. A further one is a struct and a line.
var bodies = map[string]body{
	"ContainerCreate":   {fresh: fresh[containerCreate], older: fresh[olderContainerCreate]},
	"ContainerUpdate":   {fresh: fresh[containerUpdate]},
	"ContainerExec":     {fresh: fresh[execCreate]},
	"ExecStart":         {fresh: fresh[execStart]},
	"CheckpointCreate":  {fresh: fresh[checkpointCreate]},
	"ImageCommit":       {fresh: fresh[commit]},
	"ImagePush":         {fresh: fresh[authConfig]},
	"SystemAuth":        {fresh: fresh[*authConfig]},
	"VolumeCreate":      {fresh: fresh[volumeCreate]},
	"VolumeUpdate":      {fresh: fresh[volumeUpdate]},
	"NetworkCreate":     {fresh: fresh[networkCreate]},
	"NetworkConnect":    {fresh: fresh[networkConnect]},
	"NetworkDisconnect": {fresh: fresh[networkDisconnect]},
	"ServiceCreate":     {fresh: fresh[serviceSpec]},
	"ServiceUpdate":     {fresh: fresh[serviceSpec]},
	"SecretCreate":      {fresh: fresh[secretSpec]},
	"SecretUpdate":      {fresh: fresh[secretSpec]},
	"ConfigCreate":      {fresh: fresh[configSpec]},
	"ConfigUpdate":      {fresh: fresh[configSpec]},
	"NodeUpdate":        {fresh: fresh[nodeSpec]},
	"SwarmInit":         {fresh: fresh[swarmInit]},
	"SwarmJoin":         {fresh: fresh[swarmJoin]},
	"SwarmUpdate":       {fresh: fresh[swarmSpec]},
	"SwarmUnlock":       {fresh: fresh[swarmUnlock]},
	"PluginPull":        {fresh: fresh[[]pluginPrivilege]},
	"PluginUpgrade":     {fresh: fresh[[]pluginPrivilege]},
	"PluginSet":         {fresh: fresh[[]string]},
}

func fresh[T any]() any { return new(T) }
