package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// identity is one certificate that the node issues to itself at each boot.
type identity struct {
	file       string
	user       string
	group      string
	names      []string
	kubeconfig bool
}

func identities(config machineConfig) []identity {
	serving := append([]string{
		config.NodeIP, config.NodeName, "10.96.0.1", "kubernetes", "kubernetes.default",
		"kubernetes.default.svc", "kubernetes.default.svc.cluster.local", "localhost",
	}, config.CertSANs...)
	return []identity{
		{file: "apiserver", user: "kube-apiserver", names: serving},
		{file: "kubelet-server", user: config.NodeName, names: []string{config.NodeIP, config.NodeName}},
		{file: "apiserver-kubelet-client", user: "apiserver-kubelet-client", group: "system:masters"},
		{file: "machined", user: "talos:machined", group: "system:masters", kubeconfig: true},
		{file: "controller-manager", user: "system:kube-controller-manager", kubeconfig: true},
		{file: "scheduler", user: "system:kube-scheduler", kubeconfig: true},
		{file: "kube-proxy", user: "system:kube-proxy", kubeconfig: true},
		{
			file: "kubelet", user: "system:node:" + config.NodeName, group: "system:nodes",
			kubeconfig: true,
		},
	}
}

func issueAll(config machineConfig) error {
	pair, err := parseAuthority(config)
	if err != nil {
		return err
	}
	for name, text := range map[string]string{
		"ca.crt": config.CACert, "ca.key": config.CAKey, "service-account.key": config.ServiceKey,
	} {
		if err := os.WriteFile(filepath.Join(secrets, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	for _, one := range identities(config) {
		if err := pair.issue(one); err != nil {
			return err
		}
	}
	return nil
}

type authority struct {
	cert *x509.Certificate
	key  any
}

func parseAuthority(config machineConfig) (authority, error) {
	certBlock, _ := pem.Decode([]byte(config.CACert))
	keyBlock, _ := pem.Decode([]byte(config.CAKey))
	if certBlock == nil || keyBlock == nil {
		return authority{}, errors.New("USERDATA holds no certificate authority")
	}
	cert, err := x509.ParseCertificate(certBlock.Bytes)
	if err != nil {
		return authority{}, err
	}
	key, err := x509.ParsePKCS8PrivateKey(keyBlock.Bytes)
	return authority{cert, key}, err
}

func (a authority) issue(one identity) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	subject := pkix.Name{CommonName: one.user}
	if one.group != "" {
		subject.Organization = []string{one.group}
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      subject,
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(365 * 24 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, name := range one.names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	base := filepath.Join(secrets, one.file)
	if err := writePEM(base+".crt", "CERTIFICATE", der); err != nil {
		return err
	}
	return writePEM(base+".key", "PRIVATE KEY", keyDER)
}

func writePEM(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
